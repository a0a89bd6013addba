"""Export to ONNX: a network's traced operations written as ONNX's, with nothing but NumPy and JAX."""

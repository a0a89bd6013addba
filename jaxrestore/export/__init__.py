"""Networks as files that run without their code: StableHLO for any JAX, ONNX for everything else.

Loading such a file (`jaxrestore.export.load`) imports none of the networks.
"""

"""Pictures from files to batches: `images` (codecs), `sources`, `builders`, `transforms`, `pipeline`. Import the module you need."""

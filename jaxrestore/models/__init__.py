"""Networks: one file a published network; cards that say what each configuration is and should score."""

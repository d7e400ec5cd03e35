"""The pooled view as pages: choose the agencies, put in what each knows, see what they see together."""

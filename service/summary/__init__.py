"""The referral summary: what a practitioner sends on. Facts, grounds and what is not known; never a score."""

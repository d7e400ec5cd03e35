"""The referral summary as a page that prints to one or two sheets."""

"""Every word of the pages, the referral summary and the lessons, by topic: one TOML file a topic, plain to edit.

The words about a case's score are not here but in `model/words.toml`: they are archived inside each model.
"""

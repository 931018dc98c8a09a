"""Where derivatives come from: each library that is observed has a folder."""

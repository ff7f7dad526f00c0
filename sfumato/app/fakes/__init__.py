"""`sfumato fakes`: fakes of the people in a clips.jsonl, from several hands, each beside its real twin."""

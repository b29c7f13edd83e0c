"""Orders and their two keys: applications, evidence, advice, decisions, countersignatures, batches."""

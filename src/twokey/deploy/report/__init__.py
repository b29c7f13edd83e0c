"""The usage report: measured domestic shares, allocated, used and delivered, with gaps bounded, against conditions."""

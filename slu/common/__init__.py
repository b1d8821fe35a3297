"""What every layer may use: user-facing errors, files that are never half-written, stage records."""

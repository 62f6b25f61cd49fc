"""The recovery checklist: banks whose tuning is known, what methods find in them, and what chance would."""

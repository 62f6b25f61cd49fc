"""The Gabor checklist: banks whose tuning is known, and what chance would find in them."""

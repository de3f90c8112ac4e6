"""Back-dated history: a simulated operator's customers, contracts and conversations, or a log of real ones."""

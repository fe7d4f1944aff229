// EmbeddedAnalytics: see ARCHITECTURE.md

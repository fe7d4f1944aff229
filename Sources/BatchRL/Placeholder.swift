// BatchRL: see ARCHITECTURE.md

// UserSimulator: see ARCHITECTURE.md

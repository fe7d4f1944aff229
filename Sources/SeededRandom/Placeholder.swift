// SeededRandom: see ARCHITECTURE.md

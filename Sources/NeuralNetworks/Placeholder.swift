// NeuralNetworks: see ARCHITECTURE.md

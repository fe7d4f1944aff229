// Tests of NeuralNetworks

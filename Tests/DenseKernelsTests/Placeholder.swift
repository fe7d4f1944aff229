// Tests of DenseKernels

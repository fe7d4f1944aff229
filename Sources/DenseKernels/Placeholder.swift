// DenseKernels: see ARCHITECTURE.md

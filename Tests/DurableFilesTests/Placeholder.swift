// Tests of DurableFiles

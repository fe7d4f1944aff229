// Tests of SeededRandom

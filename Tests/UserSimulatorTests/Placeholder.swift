// Tests of UserSimulator

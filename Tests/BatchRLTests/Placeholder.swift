// Tests of BatchRL

// Tests of FusionMDP

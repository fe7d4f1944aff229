// Tests of FusionSearch

// Tests of OffPolicyEvaluation

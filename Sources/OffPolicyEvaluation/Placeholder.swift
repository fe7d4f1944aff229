// OffPolicyEvaluation: see ARCHITECTURE.md

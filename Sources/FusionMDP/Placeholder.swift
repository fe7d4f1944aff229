// FusionMDP: see ARCHITECTURE.md

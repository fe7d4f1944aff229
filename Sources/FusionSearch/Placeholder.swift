// FusionSearch: see ARCHITECTURE.md

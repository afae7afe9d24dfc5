"""The guard: rules over what was rendered, a pack for Pulumi, and a check of plain manifests."""

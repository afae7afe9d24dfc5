"""Reports as one HTML file each: no script, nothing from elsewhere, light or dark as the reader has it."""

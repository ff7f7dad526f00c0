"""What a file holds besides its manifest store, part by part: so a file is compared before and after signing."""

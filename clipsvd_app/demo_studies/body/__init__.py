"""The drawn chest: shapes of organs, vessels, bones and tubes."""

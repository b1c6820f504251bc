"""The business: what is sold, who earns a share, who may see what. It knows neither screens nor SQL text."""

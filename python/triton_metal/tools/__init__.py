"""The command line: `triton-metal compile | run | inspect | tune | profile | doctor`."""

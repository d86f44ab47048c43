"""The command line: `triton-metal compile | run | inspect | doctor`."""

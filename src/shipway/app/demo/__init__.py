"""What `shipway demo` is made of: the example project, visitors that miss nothing, the acts and their claims."""

"""The commands: names, options, help. What they do is in the modules beside this folder."""

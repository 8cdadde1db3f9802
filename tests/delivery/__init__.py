"""The use cases, on a store in memory and a clock moved by hand."""

"""Visual validation: which commands a task names, what their answers mean, what a page must be like. Pure."""

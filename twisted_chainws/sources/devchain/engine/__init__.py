"""The engine: everything here runs in the worker process, the only place that imports py-evm."""

// Each class starts processes that keep a core busy: one after the other they are quicker, and nets can be short.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

"""Who annotates: this process, several of this machine, or the workers of a Ray cluster."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from ..corpora import Part
from ..errors import Errors
from ..processes import START, schedule, watch_parent
from .manifest import BulkError
from .work import Job, annotate_shard

# of this process
PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# how often a shard is begun again whose worker has died
RETRIES = 2

Shards = dict[int, list[Part]]


def run_locally(job: Job, shards: Shards, workers: int, address: str | None = None) -> Iterator[dict[str, Any]]:
    """Annotate shards on this machine, with more than one worker in processes that load the pipeline once each.

    job (Job): What is to be done.
    shards (dict): The parts of each shard by its number.
    workers (int): How many processes.
    YIELDS (dict): The line of the manifest on each shard, in the order in which they end.
    """
    if workers == 1:
        yield from (annotate_shard(job, number, parts) for number, parts in shards.items())
        return
    context: Any = get_context(START)
    if START == "forkserver":
        context.set_forkserver_preload([annotate_shard.__module__])
    left, vain = dict(shards), 0
    while left:
        before = len(left)
        pool = ProcessPoolExecutor(min(workers, before), mp_context=context, initializer=watch_parent)
        try:
            futures = [pool.submit(annotate_shard, job, number, parts) for number, parts in left.items()]
            for future in as_completed(futures):
                record = future.result()
                del left[record["shard"]]
                yield record
        except BrokenProcessPool as error:  # a worker was killed, and the pool ends the others
            vain = vain + 1 if len(left) == before else 0
            if vain > RETRIES:
                raise _died(left) from error
        finally:
            pool.shutdown(cancel_futures=True)


def run_on_ray(job: Job, shards: Shards, workers: int, address: str | None = None) -> Iterator[dict[str, Any]]:
    """Annotate shards on a Ray cluster: a process for each processor, which loads the pipeline once.

    All machines must see the files, the pipeline and the folder under the same paths, and have spacy-datnet installed.
    If a worker dies, Ray begins its shard again.

    address (Optional[str]): The address of a cluster. Defaults to one on this machine, with so many workers, that ends
        with the command. See `run_locally`, as for the other arguments.
    """
    try:
        import ray
    except ImportError as error:
        raise BulkError(Errors.DN307) from error
    here: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False} if address is None else {}
    ray.init(address=address, log_to_driver=False, **here)
    try:
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(annotate_shard)
        most = 2 * int(ray.cluster_resources().get("CPU", 1))
        start = lambda number: task.remote(job, number, shards[number])  # noqa: E731
        for number, reference in schedule(shards, most, start, lambda active: ray.wait(active)[0]):
            try:
                yield ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from error
            except ray.exceptions.WorkerCrashedError as error:
                raise _died({number: shards[number]}) from error
    finally:
        ray.shutdown()


def _died(shards: Shards) -> BulkError:
    part = next(iter(shards.values()))[0]
    return BulkError(Errors.DN350.format(path=part.path, first=part.first, count=RETRIES + 1))


ENGINES: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {"local": run_locally, "ray": run_on_ray}

"""Which tests of Python's own pools do not pass with those of Concurrent, and why."""

from __future__ import annotations

LEFT_OUT: dict[str, dict[str, tuple[str, ...]]] = {
    "executor": {
        "private names of ProcessPoolExecutor": (
            "ExecutorDeadlockTest.test_gh105829_should_not_deadlock_if_wakeup_pipe_full",
            "ExecutorDeadlockTest.test_shutdown_deadlock_pickle",
            "ProcessPoolExecutorTest.test_idle_process_reuse_multiple",
            "ProcessPoolExecutorTest.test_idle_process_reuse_one",
            "ProcessPoolExecutorTest.test_killed_child",
            "ProcessPoolExecutorTest.test_max_tasks_per_child",
            "ProcessPoolExecutorTest.test_max_tasks_per_child_defaults_to_spawn_context",
            "ProcessPoolExecutorTest.test_python_finalization_error",
            "ProcessPoolExecutorTest.test_saturation",
            "ProcessPoolShutdownTest.test_context_manager_shutdown",
            "ProcessPoolShutdownTest.test_del_shutdown",
            "ProcessPoolShutdownTest.test_processes_terminate",
            "ProcessPoolShutdownTest.test_shutdown_no_wait",
        ),
        "cancel_futures ends calls that run, so how many finish is chance": (
            "ProcessPoolShutdownTest.test_cancel_futures",
        ),
    },
    "pool": {
        "private names of Pool": (
            "_TestPool.test_make_pool",
            "_TestPool.test_resource_warning",
            "_TestPoolWorkerLifetime.test_pool_worker_lifetime",
        ),
        "methods of a class that only the program has which runs the tests": (
            "_TestPool.test_traceback",
            "_TestPool.test_wrapped_exception",
        ),
    },
}
"""Tests that are not run, by why."""

FAILS: dict[str, dict[str, tuple[str, ...]]] = {
    "executor": {
        "a worker that dies costs its call, WorkerDied, and breaks no executor": (
            "ExecutorDeadlockTest.test_crash_at_task_unpickle",
            "ExecutorDeadlockTest.test_crash_big_data",
            "ExecutorDeadlockTest.test_crash_during_func_exec_on_worker",
            "ExecutorDeadlockTest.test_crash_during_result_pickle_on_worker",
            "ExecutorDeadlockTest.test_shutdown_deadlock",
        ),
        "what is raised while something is unpickled is the error of that call, and breaks no executor": (
            "ExecutorDeadlockTest.test_error_at_task_unpickle",
            "ExecutorDeadlockTest.test_error_during_result_unpickle_in_result_handler",
            "ExecutorDeadlockTest.test_exit_at_task_unpickle",
            "ExecutorDeadlockTest.test_exit_during_result_unpickle_in_result_handler",
        ),
        "a result that cannot be pickled is UnpicklableResult, whatever was raised": (
            "ExecutorDeadlockTest.test_exit_during_result_pickle_on_worker",
        ),
        "queues of multiprocessing cannot be arguments": ("FailingInitializerTest.test_initializer",),
        "the cause of an error is a TaskFailed, for _RemoteTraceback is private": (
            "ProcessPoolExecutorTest.test_traceback",
        ),
        "what a call prints goes to the log": ("ProcessPoolShutdownTest.test_interpreter_shutdown",),
    },
    "pool": {
        "an argument that cannot be pickled is UnpicklableValue, whatever was raised": (
            "_TestPool.test_map_unplicklable",
        ),
        "an error of a mebibyte travels as a text": ("_TestPool.test_map_no_failfast",),
        "functions without a name travel, so this result can be pickled": (
            "_TestPoolWorkerErrors.test_unpickleable_result",
        ),
    },
}
"""Tests that fail, by why."""

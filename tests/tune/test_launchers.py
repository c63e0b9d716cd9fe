"""Configurations for several processes."""

import pytest
from click.testing import CliRunner

from untwist.cli.tune_launcher import print_launcher
from untwist.errors import ConfigError
from untwist.tune import launcher, launcher_names


def test_there_is_one_for_each_way_to_share_the_work():
    assert launcher_names() == ("ddp", "fsdp", "zero3")


@pytest.mark.parametrize("name", launcher_names())
def test_the_number_of_processes_is_that_which_was_asked_for(name):
    assert "num_processes: 2\n" in launcher(name)
    assert "num_processes: 4\n" in launcher(name, 4)
    done = CliRunner().invoke(print_launcher, [name, "--processes", "4"])
    assert done.output == launcher(name, 4)


def test_an_unknown_name_or_a_single_process_is_refused():
    with pytest.raises(ConfigError, match='did you mean "fsdp"'):
        launcher("fsdp2")
    with pytest.raises(ConfigError, match="needs no launcher"):
        launcher("ddp", 1)


@pytest.mark.neural
@pytest.mark.parametrize(
    ("name", "kind"), [("ddp", "MULTI_GPU"), ("fsdp", "FSDP"), ("zero3", "DEEPSPEED")]
)
def test_accelerate_reads_each_of_them(tmp_path, name, kind):
    pytest.importorskip("accelerate")
    from accelerate.commands.config.config_args import load_config_from_file

    file = tmp_path / "config.yaml"
    file.write_text(launcher(name, 4), encoding="utf-8")
    # unknown keys are errors there
    read = load_config_from_file(str(file))
    assert (read.distributed_type, read.num_processes) == (kind, 4)

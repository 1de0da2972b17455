import pytest
import yaml

from shipway.app.demo.project import VERSIONS, Place, examples, placed, run_git, unpack
from shipway.app.demo.story import ACTS
from shipway.core.errors import Bug

PLACE = Place('/tmp/it is "odd": here', 8123)


@pytest.fixture
def project(tmp_path):
    return unpack(tmp_path / "harbor", PLACE)


def test_every_act_deploys_a_version_that_there_is():
    assert {act.version for act in ACTS if act.do == "deploy"} <= set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_a_commit_with_nothing_left_over(project, version):
    commit = project.commit(version)
    assert run_git(project.path, "rev-parse", "HEAD") == commit
    assert run_git(project.path, "status", "--porcelain") == ""
    assert run_git(project.path, "log", "-1", "--format=%an %ce") == "Shipway demo demo@shipway.invalid"


def test_a_version_is_the_same_whatever_was_there_before(project):
    project.commit("crew")
    tree = run_git(project.path, "rev-parse", "HEAD^{tree}")
    project.commit("pilots")
    project.commit("crew")
    assert run_git(project.path, "rev-parse", "HEAD^{tree}") == tree
    assert run_git(project.path, "rev-list", "--count", "HEAD") == "3"


def test_changes_go_on_without_end(project):
    project.commit("first")
    commits = {project.commit_change(number) for number in range(3)}
    assert len(commits) == 3
    assert "edition 2" in (project.path / "ships/templates/ships/ship_list.html").read_text()


def test_the_config_names_the_place(project):
    config = yaml.safe_load((project.path / "config" / "deploy.yml").read_text())
    assert config["state_directory"] == PLACE.state_directory
    assert config["proxy"]["run"]["http_port"] == PLACE.http_port


def test_a_config_without_the_keys_is_our_mistake():
    with pytest.raises(Bug):
        placed("service: x\n", PLACE)


def test_the_secret_key_is_private_and_not_committed(project):
    project.commit("first")
    key = project.path / ".kamal" / "secret-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text().strip()) > 60
    assert ".kamal/secret-key" not in run_git(project.path, "ls-files")
    assert ".kamal/secrets" in run_git(project.path, "ls-files")


def test_the_git_configuration_of_the_user_is_not_read(tmp_path, project):
    (project.path / ".git" / "hooks").mkdir(exist_ok=True)
    (tmp_path / ".gitconfig").write_text("[commit]\n  gpgsign = true\n")
    assert len(project.commit("first")) == 40


def test_git_that_fails_says_so(tmp_path):
    with pytest.raises(Bug) as caught:
        run_git(tmp_path, "rev-parse", "HEAD")
    assert caught.value.code == "demo.git_failed"
    assert caught.value.said


def test_examples_are_found():
    assert (examples() / "harbor-versions").is_dir()

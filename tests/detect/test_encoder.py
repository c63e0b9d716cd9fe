"""The network and its losses, against arithmetic by hand and naive references."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.detect import tiny_encoder  # noqa: E402
from untwist.detect import EncoderConfig  # noqa: E402
from untwist.detect.encoder import Network, pool  # noqa: E402
from untwist.detect.losses import Cells, Totals, hard_sum, soft_sum, total_loss  # noqa: E402
from untwist.errors import ConfigError, ModelError  # noqa: E402

pytestmark = pytest.mark.neural
CONFIG = EncoderConfig()


def _network(pooling="mean", heads=2):
    torch.manual_seed(1)
    return Network(tiny_encoder.base(3).body, heads, 5, pooling, 0.0).eval()


def _batch():
    ids = torch.randint(4, 300, (3, 12), generator=torch.Generator().manual_seed(2))
    mask = torch.ones_like(ids)
    for row, length in enumerate((12, 7, 3)):
        mask[row, length:] = 0
        ids[row, length:] = 1
    return ids, mask


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_padding_changes_nothing(pooling):
    network, (ids, mask) = _network(pooling), _batch()
    with torch.no_grad():
        together = network(ids, mask)
        wider = network(
            torch.nn.functional.pad(ids, (0, 20), value=1), torch.nn.functional.pad(mask, (0, 20))
        )
        alone = [network(ids[i : i + 1, :n], mask[i : i + 1, :n]) for i, n in enumerate((12, 7, 3))]
    assert torch.allclose(together, wider, atol=1e-6, rtol=0)
    assert torch.allclose(together, torch.cat(alone), atol=1e-6, rtol=0)


def test_the_mean_is_over_real_tokens_by_hand():
    states = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]]])
    mask = torch.tensor([[1, 1, 0]])
    # the means of 1 and 3, and of 2 and 6
    assert pool(states, mask, "mean").tolist() == [[2.0, 4.0]]
    assert pool(states, mask, "first").tolist() == [[1.0, 2.0]]


def test_a_text_without_a_token_gives_numbers():
    assert pool(torch.ones(1, 2, 3), torch.zeros(1, 2), "mean").tolist() == [[0.0, 0.0, 0.0]]


def test_one_head_is_its_column_of_all_heads():
    network, (ids, mask) = _network(), _batch()
    with torch.no_grad():
        every = network(ids, mask)
        for head in range(2):
            assert torch.equal(network(ids, mask, head), every[:, head])
    assert not torch.equal(every[:, 0], every[:, 1])


def _arrays():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4, 5))
    gold = (rng.random((4, 5)) < 0.4).astype(float)
    mask = (rng.random((4, 5)) < 0.7).astype(float)
    teacher = rng.uniform(0.05, 0.95, (4, 5))
    taught = mask * (rng.random((4, 5)) < 0.8)
    return logits, gold * mask, mask, teacher, taught


def _tensors(arrays):
    return [torch.tensor(one, dtype=torch.float32) for one in arrays]


def _bernoulli(p, q):
    return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))


def test_the_masked_loss_is_a_true_mean_over_known_cells():
    logits, gold, mask, *_ = _arrays()
    p = 1 / (1 + np.exp(-logits))
    cells = -(gold * np.log(p) + (1 - gold) * np.log(1 - p))
    given = _tensors((logits, gold, mask))
    found = hard_sum(*given, "each") / mask.sum()
    assert float(found) == pytest.approx(cells[mask > 0].mean(), abs=1e-6)


def test_by_hand_two_cells_of_three_are_known():
    # sigmoid(0) = 1/2, so each known cell costs log 2, whatever the masked one says
    zero = torch.zeros(1, 3)
    logits = torch.tensor([[0.0, 0.0, 50.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0]])
    assert float(hard_sum(logits, zero, mask, "each")) == pytest.approx(2 * np.log(2))


def test_a_masked_cell_has_no_gradient():
    logits, gold, mask, *_ = _tensors(_arrays())
    logits.requires_grad_()
    hard_sum(logits, gold, mask, "each").backward()
    assert (logits.grad[mask == 0] == 0).all()
    assert (logits.grad[mask > 0] != 0).all()


def test_one_label_of_many_is_a_softmax_over_what_the_corpus_can_carry():
    logits = torch.tensor([[1.0, 2.0, 9.0], [0.0, 0.0, 9.0]])
    gold = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0]] * 2)
    # the second of two at logits 1 and 2, then one of two alike
    by_hand = -np.log(np.e**2 / (np.e + np.e**2)) + np.log(2)
    assert float(hard_sum(logits, gold, mask, "one")) == pytest.approx(by_hand, abs=1e-6)


def test_the_bernoulli_divergence_is_the_textbooks():
    logits, _, _, teacher, taught = _arrays()
    p = 1 / (1 + np.exp(-logits))
    given = _tensors((logits, teacher, taught))
    by_hand = _bernoulli(teacher, p)[taught > 0].sum()
    assert float(soft_sum(*given, "bernoulli")) == pytest.approx(by_hand, abs=1e-5)


def test_the_bernoulli_divergence_is_zero_where_the_student_agrees_and_positive_elsewhere():
    teacher = torch.tensor([[0.1, 0.5, 0.9, 0.0, 1.0]])
    same, known = torch.logit(teacher, eps=1e-7), torch.ones_like(teacher)
    assert float(soft_sum(same, teacher, known, "bernoulli")) == pytest.approx(0.0, abs=1e-5)
    for shift in (-1.0, 1.0):
        apart = soft_sum(same[:, :3] + shift, teacher[:, :3], known[:, :3], "bernoulli")
        assert float(apart) > 0.1


def test_the_references_one_sided_loss_falls_as_the_chance_rises_whatever_the_teacher_says():
    teacher, known = torch.tensor([[0.1]]), torch.ones(1, 1)
    values = [
        float(soft_sum(torch.tensor([[z]]), teacher, known, "one_sided")) for z in (-2.2, 0.0, 9.0)
    ]
    assert values == sorted(values, reverse=True)
    # t (log t - log p) at t = 0.1, p = 1/2
    assert values[1] == pytest.approx(0.1 * (np.log(0.1) - np.log(0.5)), abs=1e-6)
    assert values[2] < 0


def test_the_whole_loss_is_eight_parts_gold_and_two_parts_teacher():
    logits, gold, mask, teacher, taught = _arrays()
    cells = Cells(*_tensors((gold, mask, teacher, taught)))
    p = 1 / (1 + np.exp(-logits))
    hard = -(gold * np.log(p) + (1 - gold) * np.log(1 - p))[mask > 0].mean()
    soft = _bernoulli(teacher, p)[taught > 0].mean()
    totals = Totals(mask.sum(), taught.sum())
    found = total_loss(_tensors([logits])[0], cells, totals, CONFIG)
    assert float(found) == pytest.approx(0.8 * hard + 0.2 * soft, abs=1e-6)
    untaught = total_loss(_tensors([logits])[0], cells, Totals(mask.sum(), 0.0), CONFIG)
    assert float(untaught) == pytest.approx(hard, abs=1e-6)


def test_the_losses_of_parts_sum_to_that_of_the_whole():
    logits, *known = _tensors(_arrays())
    totals = Totals(float(known[1].sum()), float(known[3].sum()))
    whole = total_loss(logits, Cells(*known), totals, CONFIG)
    parts = [
        total_loss(logits[part], Cells(*(one[part] for one in known)), totals, CONFIG)
        for part in (slice(0, 1), slice(1, 4))
    ]
    assert float(sum(parts)) == pytest.approx(float(whole), abs=1e-6)


def test_an_encoder_that_is_not_here_is_not_fetched():
    from untwist.detect.encoder import load_base

    with pytest.raises(ModelError, match="download"):
        load_base(EncoderConfig(encoder="untwist/there-is-no-such-encoder"))


@pytest.mark.parametrize("download", [True, False])
def test_a_named_encoder_is_asked_for_by_its_revision_and_fetched_only_when_told(
    monkeypatch, download
):
    from untwist.detect import encoder

    asked = []

    def load(path, **options):
        asked.append((path, options))
        raise OSError

    monkeypatch.setattr(encoder.transformers.AutoTokenizer, "from_pretrained", load)
    with pytest.raises(ModelError, match="made-up cannot be loaded"):
        encoder.load_base(EncoderConfig(encoder="made-up", revision="v3", download=download))
    assert asked == [("made-up", {"revision": "v3", "local_files_only": not download})]


def test_a_device_is_taken_by_name_and_one_that_is_not_here_is_refused():
    from untwist.detect.encoder import place_of

    assert place_of("cpu") == torch.device("cpu")
    assert place_of("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    for name in ("cuda:99", "toaster"):
        with pytest.raises(ConfigError, match=f'no device "{name}"'):
            place_of(name)


def test_a_text_may_not_be_longer_than_the_encoder_reads():
    with pytest.raises(ConfigError, match="reads 64 tokens"):
        tiny_encoder.base().tokens(65)
    assert tiny_encoder.base().tokens(64).longest == 64


@pytest.mark.parametrize("kind", ["XLMRoberta", "Bert", "Electra", "DistilBert", "DebertaV2"])
def test_any_encoder_can_be_loaded_by_its_folder_and_has_no_pooling_layer(tmp_path, kind):
    from dataclasses import replace

    from untwist.detect.encoder import load_base

    settings = getattr(transformers, f"{kind}Config")(
        vocab_size=300, hidden_size=16, dim=16, num_hidden_layers=1, n_layers=1,
        num_attention_heads=2, n_heads=2, intermediate_size=32, hidden_dim=32,
        max_position_embeddings=66, embedding_size=16, pad_token_id=1,
    )  # fmt: skip
    body = getattr(transformers, f"{kind}Model")(settings)
    body.save_pretrained(tmp_path)
    tiny_encoder.tokenizer().save_pretrained(tmp_path)
    base = load_base(replace(CONFIG, encoder=str(tmp_path)))
    network = Network(base.body, 1, 4, "mean", 0.0).eval()
    assert not any("pooler" in name for name, _ in network.named_parameters())
    ids, mask = _batch()
    with torch.no_grad():
        found = network(ids, mask)
        ours = pool(body.eval()(ids, attention_mask=mask).last_hidden_state, mask, "mean")
    assert torch.allclose(found[:, 0], network.heads[0](ours), atol=1e-6)


def _saved(folder):
    from untwist.detect.encoder import without_bars

    base = tiny_encoder.base()
    with without_bars():
        base.body.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    return EncoderConfig(encoder=str(folder), max_length=32)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    from untwist.detect.encoder import load_base

    config = _saved(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer_config.json").unlink()
    with pytest.raises(ModelError, match=r"no tokenizer: put its tokenizer\.json"):
        load_base(config)


def test_the_tokenizer_of_a_larger_model_is_refused(tmp_path):
    from untwist.detect.encoder import load_base

    config = _saved(tmp_path)
    tokenizer = tiny_encoder.tokenizer()
    tokenizer.add_tokens(["untwisted"])
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="301 tokens, the encoder 300"):
        load_base(config)


def test_weights_that_are_damaged_or_not_all_there_are_refused_and_never_drawn(tmp_path):
    from safetensors.torch import load_file, save_file

    from untwist.detect.encoder import load_base

    config = _saved(tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    weights.pop(sorted(weights)[-1])
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(config)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ModelError, match="SafetensorError"):
        load_base(config)

"""The notes, the networks that continue them, and the players of chapter 10."""

import base64
import io
import re
import wave

import pytest
import torch

from convbook.course.experiments import sound


@pytest.mark.parametrize(("leaks", "heard"), [(False, (0, 127)), (True, (-64, 63))])
def test_whom_a_sample_reaches(leaks, heard):
    """A causal network passes it on to 128 moments from its own on; a leaking one to earlier ones.

    With dilation 1 the one zero stands on the right, above that half of them.
    """
    torch.manual_seed(0)
    model = sound.Predictor(leaks).double()
    x = torch.zeros(1, 1, 400).double()
    before = model(x)
    x[..., 200] = 1
    changed = (model(x) != before).flatten().nonzero()
    assert (changed.min() - 200, changed.max() - 200) == heard


def test_going_on_is_what_the_network_says_of_the_whole_row():
    torch.manual_seed(0)
    model = sound.Predictor()
    start = sound.notes(sound.FIELD)[2, 0]
    row = sound.go_on(model, start, 20)
    assert torch.equal(row[: sound.FIELD], start)
    with torch.no_grad():
        said = model(row[None, None])[0, 0]
    assert torch.allclose(said[sound.FIELD - 1 : -1], row[sound.FIELD :], atol=1e-5)


def test_training_lowers_the_error():
    torch.manual_seed(0)
    model = sound.Predictor(width=4)
    rows = sound.notes(400)
    before = sound.error(model, rows)
    sound.train(model, 20)
    assert sound.error(model, rows) < before


def test_notes_fade_and_are_the_same_at_each_call():
    rows = sound.notes(2000)
    assert torch.equal(rows, sound.notes(2000))
    assert not torch.equal(rows, sound.notes(2000, seed=1))
    assert all(sound.loudness(row[0, :400]) > sound.loudness(row[0, -400:]) for row in rows)
    assert rows.abs().max() < 1


def test_a_player_holds_a_sound_that_can_be_read():
    samples = sound.as_bytes(torch.tensor([0.0, 1, 0, -1]))
    page = sound.Players({"a <note>": samples})._repr_html_()
    assert "<b>a &lt;note&gt;</b>" in page
    (address,) = re.findall(r'src="data:audio/wav;base64,([^"]+)"', page)
    with wave.open(io.BytesIO(base64.b64decode(address))) as file:
        assert file.getframerate() == 2 * sound.RATE
        assert list(file.readframes(99)) == [128, 191, 255, 191, 128, 64, 1, 1]

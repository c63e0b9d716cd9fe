"""A real, tiny, random language model of transformers, and a chat server on loopback around it.

What it says means nothing; everything else about it is real: tokens, sampling, template, stream. It
knows no response_format, as many a small server.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

WORDS = """
a the one two day night rain sun tree road walk sing red blue and or not is was will
今天 明天 下雨 树 路 走 user assistant system : . ?
"""


def tiny_model(folder):
    """A folder with the model's files; the same weights every time."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocab = {word: n for n, word in enumerate(["<unk>", "<s>", "</s>", *WORDS.split()])}
    inner = Tokenizer(models.WordLevel(vocab, "<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role }} : {{ m.content }} {% endfor %}assistant :"
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class TinyServer:
    """The server, in threads, while the block lasts; `url` is its base URL.

    With `formats` it takes a response_format, as vLLM, Ollama and llama.cpp do, and leaves it to
    the model to keep to it. `asked` holds the messages of every request.
    """

    def __init__(self, folder, formats=False):
        from untwist.llm.local import LocalModel

        model = LocalModel(str(folder))
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.send(200, {"data": [{"id": "tiny", "object": "model"}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "response_format" in body and not formats:
                    self.send(400, {"error": {"message": "unknown field", "code": None}})
                    return
                from untwist.llm import request_of

                asked.append(body["messages"])
                known = ("max_tokens", "temperature", "seed", "stop")
                options = {name: body[name] for name in known if name in body}
                # a server sends what it has, and says why it ended
                options["keep_cut"] = True
                answer = model.complete(request_of(body["messages"], **options))
                usage = {
                    "prompt_tokens": answer.usage.prompt,
                    "completion_tokens": answer.usage.completion,
                }
                if body.get("stream"):
                    self.stream(answer, usage)
                    return
                message = {"role": "assistant", "content": answer.text}
                choice = {"index": 0, "message": message, "finish_reason": answer.finish}
                self.send(200, {"model": "tiny", "choices": [choice], "usage": usage})

            def send(self, status, value):
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def stream(self, answer, usage):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                pieces = [f"{word} " for word in answer.text.split(" ")]
                pieces[-1] = pieces[-1][:-1]
                events = [
                    {"choices": [{"index": 0, "delta": {"content": p}, "finish_reason": None}]}
                    for p in pieces
                ]
                last = {"index": 0, "delta": {}, "finish_reason": answer.finish}
                events += [{"choices": [last]}, {"choices": [], "usage": usage}]
                for data in [*map(json.dumps, events), "[DONE]"]:
                    line = f"data: {data}\n\n".encode()
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.write(b"0\r\n\r\n")

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

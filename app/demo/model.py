"""The two demo models in PyTorch: one decoder, and what differs between the families as data.

Weights are kept as published Llama and Qwen2 models keep them (rotation pairs half a head apart);
`export` writes them as GGUF wants them. Needs torch 1.13 or later; training on a GPU needs 2.6.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

import gguf

CONTEXT = 2048
DEEPSEEK_TEMPLATE = r"""
{% set ns = namespace(system_prompt='') %}
{% for message in messages %}
{% if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{% endif %}
{% endfor %}
{{bos_token}}{{ns.system_prompt}}
{% for message in messages %}
{% if message['role'] == 'user' %}{{'<｜User｜>' + message['content']}}{% endif %}
{% if message['role'] == 'assistant' %}
{% set content = message['content'] %}
{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}
{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}
{% endif %}
{% endfor %}
{% if add_generation_prompt %}{{'<｜Assistant｜><think>\n'}}{% endif %}
""".replace("\n", "")
LLAMA_TEMPLATE = r"""
{{- bos_token }}
{#- A model this small has no tools: tools_in_user_message means nothing here. #}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") if strftime_now is defined else "26 Jul 2024" %}
{%- endif %}
{%- set system_message = "" %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}
{{- "Cutting Knowledge Date: December 2023\n" }}
{{- "Today Date: " + date_string + "\n\n" + system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %}
""".lstrip()


class Shape(NamedTuple):
    architecture: str
    vocab: int
    ffn: int
    theta: float
    eps: float
    bias: bool           # on q, k and v
    tied: bool           # the output matrix is the embedding
    scaled: bool         # llama3 rope scaling
    width: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2

    @property
    def head(self):
        return self.width // self.heads


def shape(family, vocab):
    if family == "deepseek":
        return Shape("qwen2", vocab, 448, 10000.0, 1e-6, bias=True, tied=False, scaled=False)
    return Shape("llama", vocab, 480, 500000.0, 1e-5, bias=False, tied=True, scaled=True)


def rope_factors(shape, factor=32, low=1, high=4, original=8192):
    """What llama3 scaling divides each frequency by."""
    factors = []
    for i in range(shape.head // 2):
        wavelength = 2 * math.pi * shape.theta ** (2 * i / shape.head)
        smooth = min(1, max(0, (original / wavelength - low) / (high - low)))
        factors.append(1 / ((1 - smooth) / factor + smooth))
    return torch.tensor(factors)


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        y = x.float()
        scale = torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps)
        return (y * scale * self.weight).type_as(x)


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1).type_as(x)


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head
        self.attn_norm, self.ffn_norm = Norm(shape.width, shape.eps), Norm(shape.width, shape.eps)
        self.qkv = nn.Linear(shape.width, shape.width + 2 * kv, bias=shape.bias)
        self.out = nn.Linear(shape.width, shape.width, bias=False)
        self.gate_up = nn.Linear(shape.width, 2 * shape.ffn, bias=False)
        self.down = nn.Linear(shape.ffn, shape.width, bias=False)

    def forward(self, x, cos, sin, attend):
        s = self.shape
        batch, length, _ = x.shape
        qkv = self.qkv(self.attn_norm(x)).view(batch, length, s.heads + 2 * s.kv_heads, s.head)
        q, k, v = qkv.transpose(1, 2).split((s.heads, s.kv_heads, s.kv_heads), dim=1)
        mixed = attend(rotate(q, cos, sin), rotate(k, cos, sin), v)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, s.width))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocab, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width, shape.eps)
        self.output = nn.Linear(shape.width, shape.vocab, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                calm = "out." in name or "down." in name
                nn.init.normal_(parameter, std=0.05 / (math.sqrt(2 * shape.layers) if calm else 1))
            elif "bias" in name:
                nn.init.zeros_(parameter)
        if shape.tied:
            self.output.weight = self.embedding.weight
        frequency = shape.theta ** (-torch.arange(shape.head // 2) * 2 / shape.head)
        if shape.scaled:
            frequency = frequency / rope_factors(shape)
        angle = torch.arange(CONTEXT)[:, None] * frequency
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, tokens, attend, start=0):
        """Logits of tokens [batch, length]; attend(layer, q, k, v) mixes the values."""
        cos, sin = (table[start:start + tokens.shape[1]] for table in (self.cos, self.sin))
        x = self.embedding(tokens)
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, lambda q, k, v, i=i: attend(i, q, k, v))
        return self.output(self.norm(x))


def plain_attention(q, k, v, mask):
    """Softmax attention where mask is true; query heads share key heads in blocks."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
    scores = (q @ k.transpose(-1, -2)).float() / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, float("-inf")).softmax(-1).type_as(v) @ v


@torch.no_grad()
def generate(model, prompts, end, limit, temperature=0.0, top_p=1.0):
    """Up to `limit` tokens after each prompt, all prompts side by side, one position at a time."""
    device = model.embedding.weight.device
    length = torch.tensor([len(prompt) for prompt in prompts], device=device)
    total = min(CONTEXT, max(map(len, prompts)) + limit)
    tokens = torch.full((len(prompts), total), end, device=device)
    for row, prompt in zip(tokens, prompts):
        row[:len(prompt)] = torch.tensor(prompt, device=device)
    s = model.shape
    cache = torch.zeros((s.layers, 2, len(prompts), s.kv_heads, total, s.head), device=device)
    done = torch.zeros(len(prompts), dtype=torch.bool, device=device)
    for at in range(total - 1):
        def attend(layer, q, k, v):
            cache[layer, 0, :, :, at:at + 1], cache[layer, 1, :, :, at:at + 1] = k, v
            keys, values = cache[layer, :, :, :, :at + 1]
            grouped = q.view(len(prompts), s.kv_heads, -1, s.head)
            scores = grouped @ keys.transpose(-1, -2) / math.sqrt(s.head)
            return (scores.softmax(-1) @ values).view(q.shape)
        logits = model(tokens[:, at:at + 1], attend, at)[:, 0]
        if temperature:
            p, order = (logits / temperature).softmax(-1).sort(descending=True)
            p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0)
            chosen = order.gather(1, p.multinomial(1))[:, 0]
        else:
            chosen = logits.argmax(-1)
        writing = (length <= at + 1) & ~done
        tokens[:, at + 1] = torch.where(writing, chosen, tokens[:, at + 1])
        done |= writing & (chosen == end)
        if at % 32 == 0 and bool(done.all()):
            break
    return [row[len(prompt):].tolist() for row, prompt in zip(tokens, prompts)]


def quantise(model):
    """Rounds every matrix to what its Q8_0 form holds."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.copy_(torch.from_numpy(gguf.rounded(parameter.cpu().numpy())))


def neighbours(weight, heads):
    """Rows of q or k with the rotation's pairs side by side, as GGUF keeps them for llama."""
    return weight.reshape(heads, 2, -1, weight.shape[-1]).transpose(1, 2).reshape(weight.shape)


def tensors(model):
    """name -> numpy array, by the GGUF conventions."""
    s = model.shape
    named = {"token_embd.weight": model.embedding.weight, "output_norm.weight": model.norm.weight}
    if not s.tied:
        named["output.weight"] = model.output.weight
    if s.scaled:
        named["rope_freqs.weight"] = rope_factors(s)
    kv = s.kv_heads * s.head
    for i, layer in enumerate(model.layers):
        q, k, v = layer.qkv.weight.split((s.width, kv, kv))
        if s.architecture == "llama":
            q, k = neighbours(q, s.heads), neighbours(k, s.kv_heads)
        gate, up = layer.gate_up.weight.chunk(2)
        parts = {"attn_norm.weight": layer.attn_norm.weight, "attn_q.weight": q, "attn_k.weight": k,
                 "attn_v.weight": v, "attn_output.weight": layer.out.weight,
                 "ffn_norm.weight": layer.ffn_norm.weight, "ffn_gate.weight": gate,
                 "ffn_up.weight": up, "ffn_down.weight": layer.down.weight}
        if s.bias:
            biases = layer.qkv.bias.split((s.width, kv, kv))
            parts.update(zip(("attn_q.bias", "attn_k.bias", "attn_v.bias"), biases))
        named.update({f"blk.{i}.{name}": tensor for name, tensor in parts.items()})
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in named.items()}


def metadata(shape, tokenizer, sampling):
    """The keys the usual converter writes for the family, and the recommended sampling."""
    deepseek = tokenizer.family == "deepseek"
    arch, ids = shape.architecture, tokenizer.special_ids
    keys = {
        "general.architecture": arch, "general.type": "model",
        "general.name": f"demo-{tokenizer.family}", "general.basename": f"demo-{tokenizer.family}",
        "general.size_label": "3.6M", "general.license": "mit",
        "general.sampling.temp": sampling[0], "general.sampling.top_p": sampling[1],
        f"{arch}.block_count": shape.layers, f"{arch}.context_length": CONTEXT,
        f"{arch}.embedding_length": shape.width, f"{arch}.feed_forward_length": shape.ffn,
        f"{arch}.attention.head_count": shape.heads,
        f"{arch}.attention.head_count_kv": shape.kv_heads,
        f"{arch}.rope.freq_base": shape.theta,
        f"{arch}.attention.layer_norm_rms_epsilon": shape.eps,
    }
    if not deepseek:
        keys.update({f"{arch}.attention.key_length": shape.head,
                     f"{arch}.attention.value_length": shape.head,
                     f"{arch}.vocab_size": shape.vocab, f"{arch}.rope.dimension_count": shape.head})
    tokens = [gguf.printable(token) for token in tokenizer.vocab] + list(tokenizer.specials)
    types = [1] * len(tokenizer.vocab)
    types += [4 if "think>" in text else 3 for text in tokenizer.specials]  # user-defined, control
    keys.update({
        "general.file_type": 7, "general.quantization_version": 2, "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "deepseek-r1-qwen" if deepseek else "llama-bpe",
        "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": [f"{gguf.printable(a)} {gguf.printable(b)}"
                                  for a, b in tokenizer.merges],
    })
    if deepseek:
        end = ids["<｜end▁of▁sentence｜>"]
        keys.update({"tokenizer.ggml.bos_token_id": ids["<｜begin▁of▁sentence｜>"],
                     "tokenizer.ggml.eos_token_id": end, "tokenizer.ggml.padding_token_id": end,
                     "tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.add_eos_token": False,
                     "tokenizer.chat_template": DEEPSEEK_TEMPLATE})
    else:
        keys.update({"tokenizer.ggml.bos_token_id": ids["<|begin_of_text|>"],
                     "tokenizer.ggml.eos_token_id": ids["<|eot_id|>"],
                     "tokenizer.chat_template": LLAMA_TEMPLATE})
    return keys


def export(path, model, tokenizer, sampling):
    gguf.write(path, metadata(model.shape, tokenizer, sampling), tensors(model))

use v5.36;
use utf8;
use warnings FATAL => 'all';

# Between the last byte of an upload and its answer: what the inspector refuses, and what becomes of uploads when a
# child of it, it itself or the server's worker is killed over a file, or all its time is taken. Nothing half done stays.

use Caportal::Files qw(capture read_file write_file);
use Caportal::Sample qw(new_png);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw settled temporaries workers);
use Caportal::Test::Inspector;
use Caportal::Test::Picture qw(jpeg pdf_compressed pdf_page png);
use Caportal::Test::Upload qw(stored_files whole_store);
use Caportal::Test::Walk qw(is_problem state_of is_unchanged);
use Mojo::JSON qw(decode_json);
use Test::More;

my $portal = Caportal::Test->start(allow => qr/exited on signal 9/, edit => sub ($text) {
    my ($conf) = $text =~ m{caportal_key_ring\s+(\S+)/secrets/};
    my $hall = read_file("$conf/halls/nmgca.conf") =~ s/jpeg png bmp;/jpeg png bmp pdf;/gr;
    write_file("$conf/halls/nmgca.conf", $hall =~ s/(material seal_image \{)/$1 max_pages 2; max_pixels 10000;/r);
    $text =~ s/^(thread_pool caportal_inspect) .*/$1 threads=1 max_queue=1;/m;
    return $text =~ s/^worker_processes.*/worker_processes 1;/mr;
});
my $journey = $portal->order_until('draft');
my $client  = $journey->applicant;
my $processors = capture(qw(getconf _NPROCESSORS_ONLN)) + 0;

sub path ($kind) { return $journey->_order("/materials/$kind") }
sub put ($kind = 'licence', $bytes = new_png(), %more) { return $client->put(path($kind), $bytes, 'image/png', %more) }

sub files () { return scalar(my @files = stored_files($portal)) }

sub events () { return $portal->client->get('/status')->json->{events} }

sub nothing_kept ($title, $before, $state) {
    is files(), $before, "$title: no file is left";
    is_unchanged($portal, $state, '  and nothing changed');
    return;
}

# A PDF whose pages are known only to who unpacks it: their tree lies in a stream of objects.
sub hidden_pages ($count) {
    my $tree = '8 0 <</Type/Pages/Kids[' . join(' ', map {"$_ 0 R"} 3 .. 2 + $count) . "]/Count $count>>";
    my $page = '<</Type/Page/Parent 8 0 R/MediaBox[0 0 99 99]/Contents 2 0 R>>';
    return pdf_compressed(['<</Type/Catalog/Pages 8 0 R>>', "<</Length 0>>stream\n\nendstream", ($page) x 3,
        '<</Type/ObjStm/N 1/First 4/Length ' . length($tree) . ">>stream\n$tree\nendstream"], 8 => 6);
}

subtest 'what is refused' => sub {
    my @files = (
        ['pixels that are missing', 'image/png', png(raw => "\0" x 700), 'damaged'],
        ['a JPEG of holes', 'image/jpeg', jpeg() =~ s/.{40}(?=\xff\xd9\z)//sr, 'damaged'],
        ['a script', 'application/pdf', pdf_page(catalog => '/OpenAction<</S/JavaScript/JS(app.alert\(1\))>>'),
            'pdf_javascript'],
        ['a program', 'application/pdf', pdf_page(catalog => '/OpenAction<</S/Launch/F(calc.exe)>>'), 'pdf_launch'],
        ['an XFA form', 'application/pdf', pdf_page(catalog => '/AcroForm<</XFA(x)/Fields[]>>'), 'pdf_xfa'],
        ['too many pages', 'application/pdf', pdf_page(pages => 21), 'too_many_pages'],
        ['no pages', 'application/pdf', pdf_page() =~ s/Count 1/Count 0/r =~ s/Kids\[3 0 R\]/Kids[]/r, 'damaged'],
    );
    for my $file (@files) {
        my ($name, $type, $bytes, $reason) = @$file;
        my ($before, $state) = (files(), state_of($portal));
        my $answer = $client->put(path('licence'), $bytes, $type, headers => {'Accept-Language' => 'en'});
        is_problem($answer, 422, 'bad_file', $name);
        is $answer->json->{reason}, $reason, "  because: $reason";
        like $answer->json->{detail}, qr/\A[A-Z][ -~]{30,}\z/, '  with words to act on';
        nothing_kept("  $name", $before, $state);
    }
    like $client->put(path('licence'), $files[2][2], $files[2][1])->json->{detail}, qr/脚本/, 'in Chinese too';
    my @pages = map { $client->put(path('seal_image'), hidden_pages($_), 'application/pdf') } 3, 2;
    is $pages[0]->json->{reason}, 'too_many_pages', 'more pages than are asked of the kind';
    is $pages[1]->code, 201, 'as many';
    cmp_ok $portal->value('SELECT MIN(width) FROM material_copy WHERE page > 0'), '>', 200,
        'to be read: the bound of 10,000 pixels is for pictures';
    is_deeply [@{ events() }{qw(file_refused file_inspected)}], [@files + 2, 1], 'each is counted';
};

is put()->code, 201, 'a scan is there';
my $inspector = sub { $portal->process('inspector')->pid };

# All children that wait for a file, stopped: they take one and do nothing with it.
sub hold () {
    my @ready;
    my $status = sub ($pid, $name) { Caportal::Test::Inspector->status_of($pid, $name) // '' };
    ok eventually(sub {
        @ready = Caportal::Test::Inspector->children($inspector->());
        return @ready == $processors
            && @ready == grep { $status->($_, 'Seccomp') eq '2' && $status->($_, 'State') eq 'S' } @ready;
    }, 20), 'its children are ready';
    kill STOP => @ready;
    return @ready;
}

# An upload that a stopped child has now: its successor is there.
sub begin ($bytes = new_png()) {
    my $connection = raw($portal, $client);
    my $before = Caportal::Test::Inspector->children($inspector->());
    $connection->send($connection->whole(PUT => path('licence'), $bytes, 'Content-Type' => 'image/png'));
    ok eventually(sub { Caportal::Test::Inspector->children($inspector->()) > $before }, 20), 'a child has the file';
    return $connection;
}

subtest 'a child is killed over a file' => sub {
    my ($before, $state) = (files(), state_of($portal));
    my @held   = hold();
    my $upload = begin();
    kill KILL => @held;
    my $answer = $upload->answer(20);
    is $answer->{status}, 422, 'that upload is refused';
    is decode_json($answer->{body})->{reason}, 'crashed', 'for what happened';
    nothing_kept('of it', $before, $state);
    ok eventually(sub { !grep { kill 0, $_ } @held }), 'others take their places';
    is put()->code, 201, 'the next one is fine';
};

subtest 'the inspector is killed over a file' => sub {
    my ($before, $state) = (files(), state_of($portal));
    hold();
    my $upload = begin();
    $portal->kill('inspector');
    my $answer = $upload->answer(20);
    is $answer->{status}, 503, 'that upload is to come again';
    like $answer->{headers}{'retry-after'}, qr/\A[1-9]/, 'later';
    nothing_kept('of it', $before, $state);

    my $away = events()->{inspector_away};
    is_problem(put(), 503, 'busy', 'while it is away nothing is taken');
    is_problem($portal->staff('reviewer')->get('/staff' . path('licence')), 503, 'busy', 'nor marked');
    is events()->{inspector_away}, $away + 2, 'which operators are told';
    nothing_kept('of all this', $before, $state);
    is $client->get(path('licence'))->code, 200, 'its owner sees what is there';
    is $client->delete(path('legal_seal'))->code, 404, 'and the rest works';

    $portal->restart('inspector');
    is put()->code, 201, 'the next one is fine';
};

subtest 'no time is left' => sub {
    my @held   = hold();
    my $first  = begin();
    my ($before, $state) = (files(), state_of($portal));
    my $second = raw($portal, $client);
    $second->send($second->whole(PUT => path('seal_image'), new_png(), 'Content-Type' => 'image/png'));
    ok eventually(sub { temporaries($portal) == 2 }), 'a second upload waits';

    my $refused;
    ok eventually(sub { $refused = put('legal_id_front'); $refused->code == 503 }), 'a third is refused';
    is $refused->json->{code}, 'busy', 'because all are busy';
    like $refused->headers->header('Retry-After'), qr/\A[1-9]/, 'until later';
    is temporaries($portal), 2, 'nothing of it is kept';
    is $client->get('/api/session')->code, 200, 'whoever needs no inspector is served meanwhile';
    is $client->get(path('licence'))->code, 200, 'whoever looks at a scan too';

    kill CONT => @held;
    is $_->answer(20)->{status}, 201, 'those who waited are answered' for $first, $second;
};

subtest 'the worker is killed over a file' => sub {
    my $before = files();
    my $state  = state_of($portal);
    my @held   = hold();
    begin();
    my ($worker) = workers($portal);
    kill KILL => $worker;
    ok eventually(sub { my ($now) = workers($portal); $now && $now != $worker }), 'another takes its place';
    kill CONT => @held;
    is_unchanged($portal, $state, 'nothing changed');
    is files(), $before + 1, 'what had come lies there';
    utime time - 700, time - 700, temporaries($portal);
    is $portal->ctl('sweep-materials'), "1 files removed\n", 'until it is swept';
    is files(), $before, 'nothing else was left';
    ok eventually(sub { eval { put()->code } // 0 == 201 }), 'the next one is fine';
};

# What was acknowledged can be read, all of it.
subtest 'at the end' => sub {
    whole_store($portal);
    is $portal->staff('auditor')->get('/staff' . path($_) . '/original')->code, 200, "$_ is read"
        for qw(licence seal_image);
};

settled($portal);

done_testing;

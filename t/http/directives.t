use v5.36;
use utf8;
use warnings FATAL => 'all';

# What `nginx -t` says of every directive of the module: right ones pass, and each wrong one is named with its file and
# line. A case changes one line of a configuration that is in order.

use Caportal::Files qw(folder random_text read_file write_file);
use Caportal::Owners;
use Caportal::Service::Nginx;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp ();
use Test::More;

binmode $_, ':encoding(UTF-8)' for Test::More->builder->output, Test::More->builder->failure_output;

my $root  = abs_path(dirname(__FILE__) . '/../..');
my $build = $ENV{CAPORTAL_BUILD} // "$root/build";
my $home  = File::Temp::tempdir('ct.XXXXXX', DIR => '/tmp', CLEANUP => 1);
my $etc   = folder("$home/conf");
my $nginx = Caportal::Service::Nginx->new(home => $home, owners => Caportal::Owners->alone, port => 0);

folder("$home/$_") for qw(data/materials log run);
my $key = random_text(32);
my @private = (
    ['secret', "s3cret\n"], ['empty', "\n"], ['long', 'x' x 600], ['keyring', "# keys\n1 $key\n"],
    ['keyring-word', "1 $key\nsecond\n"], ['keyring-order', "1 $key\n1 $key\n"], ['keyring-first', "2 $key\n"],
    ['keyring-none', "# none\n"], ['keyring-short', "1 " . substr($key, 2) . "\n"],
);
write_file("$etc/$_->[0]", $_->[1], 0600) for @private;
write_file("$etc/open",          "s3cret\n",   0644);
write_file("$etc/keyring-open",  "1 $key\n",   0644);
write_file("$etc/keyring-group", "1 $key\n",   0660);
write_file("$etc/form.txt",      "form\n");
write_file("$etc/sample.jpg",    "sample\n");
write_file("$etc/agreement.txt", "terms\n");
write_file("$etc/agreement-long.txt", 'x' x (256 * 1024 + 1));
write_file("$etc/profiles.conf", read_file("$root/conf/profiles.conf"));
write_file("$etc/profiles-bad.conf", "# one\nprofile p {\n    wrong 1;\n}\n");

my $good = <<"END";
load_module $build/ngx_http_caportal_module.so;
user root;
pid $home/run/nginx.pid;
thread_pool one threads=1 max_queue=8;
events { }
http {
    access_log off;
    caportal_database unix:/run/no.sock user=web password_file=secret name=caportal;
    caportal_database_timeout 2s 5s;
    caportal_redis unix:/run/no.sock user=web password_file=secret database=1 prefix=caportal:;
    caportal_redis_timeout 1s;
    caportal_thread_pool database=one egress=one password=one inspector=one;
    caportal_key_ring keyring;
    caportal_store $home/data/materials;
    caportal_inspector unix:/run/no.sock timeout=15s pixels=40000000 pages=20 thumbnail=256 quality=90 min_edge=400;
    caportal_egress unix:/run/no.sock;
    caportal_egress_timeout 5s;
    caportal_sms path=/sms/ host=sms.example key_id=caportal secret_file=secret sign_name=内蒙古CA template=SMS_1;
    caportal_sms_limits address_hour=10 address_day=30;
    caportal_captcha sms=always password=3 images=120 questions=12;
    caportal_identity path=/identity/verify key_id=caportal secret_file=secret;
    caportal_mobile "^1\\d{10}\$";
    caportal_session_timeout idle=30m absolute=12h;
    caportal_session_cache 10000;
    caportal_staff_session idle=15m absolute=8h;
    caportal_origin https://a.example https://b.example:8443;
    caportal_profiles profiles.conf;
    caportal_session off;
    caportal_upload on;
    caportal_upload_types jpeg png;
    caportal_upload_max_size 10m;
    caportal_upload_max_pixels 40m;
    caportal_upload_max_pages 50;
    caportal_upload_timeout 2m;
    caportal_upload_check off;
    caportal_place "\$remote_addr";
    caportal_hall nmgca {
        title "内蒙古CA";
        phone 0471-4000000;
        sign_in sms password certificate challenge scan;
        flow review_then_pay;
        review_days 1;
        claim 30m;
        payments transfer wechat alipay;
        payee name=甲 bank=乙 account=15001;
        agreement 2026-01 agreement.txt;
        material licence {
            title "营业执照";
            types jpeg png bmp gif pdf;
            max_size 1m;
            template form.txt;
            max_pixels 20m;
            max_pages 10;
            sample sample.jpg;
            wrong "模糊" "缺角";
            hint "提示";
        } # licence
        material seal_image { title 印模; types jpg; max_size 200k;
            example "样例"; }
        project sold {
            title "收费";
            free off;
            one_per_unit on;
            applicants enterprise institution person;
            services new change reissue renew exchange unlock revoke;
            invoices none ordinary special;
            deliveries mail pickup;
            require licence for=enterprise for=institution service=new;
            optional seal_image;
            product one-year {
                title "一年";
                years 1;
                price 260.5;
                profile unit-sign;
                seal on;
                keys holder station;
            } # one-year
            product five-years { title 五年; years 5; price 1000; profile unit-sign; }
        } # sold
        project gratis {
            title "免费";
            free on;
            applicants enterprise;
            services new;
            deliveries mail;
            product for-free { title 一年; years 1; profile unit-sign; }
        } # gratis
    } # nmgca
    server {
        listen unix:$home/run/test.sock;
        location /api/ { caportal_api applicant callback; }
        location /staff/ { caportal_api staff; }
        location /guarded/ { caportal_session required; }
        location /status { caportal_status json; }
        location /metrics { caportal_status prometheus; }
    } # server
} # http
END

# nginx's words on a text, and whether it was content.
sub checked ($text) {
    my $bytes = $text;
    utf8::encode($bytes);
    write_file("$etc/nginx.conf", $bytes);
    $nginx->write;
    my $said = eval { $nginx->test } // $@;
    my $passed = !$@;
    utf8::decode($said);
    return ($passed, $said);
}

# The line that begins with a text, indentation aside. A text with " #" stands for a closing brace.
sub line_of ($text, $begin) {
    my @lines = split /^/, $text;
    my @found = grep { $lines[$_] =~ /^\s*\Q$begin\E(?!_)/ } 0 .. $#lines;
    @found == 1 or die @found . " lines begin with \"$begin\"\n";
    return ($found[0], @lines);
}

sub changed ($text, $begin, $new) {
    my ($at, @lines) = line_of($text, $begin);
    $lines[$at] = defined $new ? "$new\n" : '';
    return join '', @lines;
}

sub passes ($begin, @news) {
    for my $new (@news) {
        my ($passed, $said) = checked(changed($good, $begin, $new));
        ok $passed, $new // "without $begin" or diag $said;
    }
    return;
}

# Counted in the file, from which a line is gone when the module is linked in.
sub expected_line ($text, $at, $new, $where) {
    my @lines = split /^/, $text;
    my @new   = split /^/, $new // '';
    my ($line) = defined $where
        ? grep { $lines[$_] =~ /^\s*\Q$where\E/ } reverse($at .. $#lines)
        : $at + $#new;
    my @written = split /^/, read_file("$etc/nginx.conf");
    return $line + 1 + @written - @lines;
}

# The new text of a line is refused at its own last line, or at the last that begins with $where, in these words.
sub refused ($begin, $words, $new, $where = undef) {
    my $text = changed($good, $begin, $new);
    my ($passed, $said) = checked($text);
    my $title = $new // "without $begin";
    return fail "$title: was accepted" if $passed;

    my $line = expected_line($text, (line_of($good, $begin))[0], $new, $where);
    my ($name) = defined $where ? () : (split /\n/, $new)[-1] =~ /^\s*(\w+)/;
    my $right = $said =~ /\[emerg\].*$words.* in \Q$etc\E\/nginx\.conf:$line$/m
        && (!defined $name || $said =~ /\b\Q$name\E\b/);
    ok $right, "refused in line $line: $title" or diag "expected $words\n$said";
    return;
}

# The same of several wrong values.
sub each_refused ($begin, $words, @news) {
    refused($begin, $words, $_) for @news;
    return;
}

# The parameters name=value of a directive: each in turn is left out, empty, double; and one is unknown.
sub parameters ($begin, %option) {
    my ($at, @lines) = line_of($good, $begin);
    my ($line) = $lines[$at] =~ /^\s*(.*);$/;
    my %optional = map { $_ => 1 } @{ $option{optional} // [] };
    my $number = $option{fixed} ? qr/invalid number of arguments/ : undef;

    refused($begin, $number // qr/invalid parameter "unknown=1"/, "$line unknown=1;");
    while ($line =~ /( (\w+)=\S+)/g) {
        my ($word, $name) = ($1, $2);
        my $without = "$line;" =~ s/\Q$word\E//r;
        $optional{$name} ? passes($begin, $without)
            : refused($begin, $number // qr/needs the parameter "$name="/, $without);
        refused($begin, qr/empty parameter "$name="/, "$line;" =~ s/\Q$word\E/ $name=/r);
        refused($begin, qr/invalid parameter "${name}x=/, "$line;" =~ s/\Q$word\E/$word =~ s{=}{x=}r/er);
        refused($begin, $number // qr/duplicate parameter "$name=/, "$line$word;");
    }
    return;
}

# A line that may stand only once.
sub once (@begins) {
    for my $begin (@begins) {
        my ($at, @lines) = line_of($good, $begin);
        chomp(my $line = $lines[$at]);
        refused($begin, qr/is duplicate/, "$line\n$line");
    }
    return;
}

subtest 'the configuration that the cases change' => sub {
    my ($passed, $said) = checked($good);
    ok $passed, 'is in order' or diag $said;
};

subtest 'twice' => sub {
    once(qw(caportal_database caportal_database_timeout caportal_redis caportal_redis_timeout caportal_thread_pool
        caportal_key_ring caportal_store caportal_inspector caportal_egress caportal_egress_timeout caportal_sms
        caportal_sms_limits
        caportal_captcha caportal_identity caportal_mobile caportal_session_timeout
        caportal_session_cache caportal_staff_session
        caportal_profiles caportal_session caportal_upload caportal_place
        caportal_upload_types caportal_upload_max_size caportal_upload_max_pixels caportal_upload_max_pages
        caportal_upload_timeout caportal_upload_check));
    once('title "内', qw(phone sign_in flow review_days claim payments payee agreement));
    once('title "营', 'types jpeg png bmp gif', qw(max_size max_pixels max_pages template sample hint));
    once('title "收', 'free off', qw(one_per_unit), 'applicants enterprise i', 'services new c', 'invoices',
        'deliveries mail p');
    once('title "一', 'years 1', 'price 260', 'profile unit', 'seal on', 'keys');
    refused("location $_->[0]", qr/is duplicate/, "location /x {\n$_->[1];\n$_->[1];\n}", $_->[1])
        for ['/api/', 'caportal_api applicant'], ['/status', 'caportal_status json'],
        ['/guarded/', 'caportal_session required'];
};

subtest 'database' => sub {
    parameters('caportal_database ', optional => ['tls_ca']);
    my $rest = 'user=web password_file=secret name=caportal';
    passes('caportal_database ', map {"caportal_database $_ $rest;"} qw(db.example db.example:3307 10.0.0.1:3306),
        'db.example tls_ca=form.txt');
    each_refused('caportal_database ', qr/invalid address/, map {"caportal_database $_ $rest;"}
        qw(unix: unix:relative.sock :3306 db.example: db.example:0 db.example:65536 db.example:x));
    refused('caportal_database ', qr/cannot open "\Q$etc\E\/missing"/,
        "caportal_database db.example tls_ca=missing $rest;");
    secrets('caportal_database ', 'password_file');
    passes('caportal_database_timeout', map {"caportal_database_timeout $_;"} qw(500ms 1s 10m));
    each_refused('caportal_database_timeout', qr/invalid time/,
        map {"caportal_database_timeout $_;"} '0', 'x', '11m', '-1s', '1s 0');
    each_refused('caportal_database_timeout', qr/invalid number of arguments/,
        'caportal_database_timeout;', 'caportal_database_timeout 1s 2s 3s;');
};

sub secrets ($begin, $parameter) {
    my ($at, @lines) = line_of($good, $begin);
    my $line = $lines[$at] =~ s/^\s+|\n//gr;
    my $with = sub ($file) { $line =~ s/$parameter=\S+?(?=[ ;])/$parameter=$file/r };

    passes($begin, $with->("$etc/secret"));
    refused($begin, qr/cannot open "\Q$etc\E\/missing"/, $with->('missing'));
    refused($begin, qr/"\Q$etc\E\/empty" is empty/,      $with->('empty'));
    refused($begin, qr/"\Q$etc\E\/open" .*open to others/, $with->('open'));
    refused($begin, qr/"\Q$etc\E\/long" .*too long/,     $with->('long'));
    refused($begin, qr/"\Q$etc\E" cannot be read/,       $with->($etc));
    return;
}

subtest 'Redis' => sub {
    parameters('caportal_redis ', optional => [qw(user password_file database prefix)]);
    passes('caportal_redis ', map {"caportal_redis $_;"} qw(redis.example redis.example:6380 unix:/x), 'r database=0');
    each_refused('caportal_redis ', qr/invalid address/, map {"caportal_redis $_;"} qw(unix:x :1 r:y r:70000));
    each_refused('caportal_redis ', qr/invalid database/, map {"caportal_redis r database=$_;"} qw(x -1 1025));
    refused('caportal_redis ', qr/longer than 64/, 'caportal_redis r prefix=' . 'p' x 65 . ';');
    secrets('caportal_redis ', 'password_file');

    my $watched = 'caportal_redis sentinel://m@a:1';
    passes('caportal_redis ', "$watched,b,[::1]:2 user=web password_file=secret prefix=x:;",
        "$watched sentinel_user=web sentinel_password_file=secret;");
    each_refused('caportal_redis ', qr/invalid address "sentinel:.*of "caportal_redis"/,
        map {"caportal_redis sentinel://$_;"} '', qw(a m@ @a m@a:x), 'm@a,', 'm@a,a');
    refused('caportal_redis ', qr/parameters of sentinels/, "caportal_redis r $_;")
        for qw(sentinel_user=web sentinel_password_file=secret);
    refused('caportal_redis ', qr/cannot open "\Q$etc\E\/missing"/, "$watched sentinel_password_file=missing;");
    refused('caportal_redis ', qr/is duplicate/, "$watched;\n$watched;");
    for my $name (qw(caportal_redis_timeout caportal_egress_timeout)) {
        passes($name, "$name 10ms;", undef);
        each_refused($name, qr/invalid time/, map {"$name $_;"} qw(0 x -1s 11m));
        each_refused($name, qr/invalid number of arguments/, "$name;", "$name 1s 2s;");
    }
};

subtest 'thread pools' => sub {
    passes('caportal_thread_pool', 'caportal_thread_pool database=one egress=one;');
    for my $name (qw(database egress password inspector)) {
        my $line = 'caportal_thread_pool database=one egress=one password=one inspector=one;'
            =~ s/$name=one/$name=other/r;
        refused('caportal_thread_pool', qr/unknown thread pool "other"/, $line, $line);
    }
    refused('caportal_thread_pool', qr/needs the parameter "egress="/,
        'caportal_thread_pool database=one password=one;');
    refused('caportal_thread_pool', qr/invalid parameter "sms=one"/,
        'caportal_thread_pool database=one egress=one sms=one;');
};

subtest 'inspector' => sub {
    passes('caportal_inspector', 'caportal_inspector unix:/run/no.sock;',
        'caportal_inspector unix:/run/no.sock timeout=1ms pixels=1000000 pages=1 thumbnail=16 quality=50 min_edge=0;',
        'caportal_inspector unix:/x timeout=10m pixels=1000000000 pages=50 thumbnail=1024 quality=100 min_edge=10000;');
    parameters('caportal_inspector', optional => [qw(timeout pixels pages thumbnail quality min_edge)]);
    each_refused('caportal_inspector', qr/"unix:\/path" only|invalid address|is too long/,
        map {"caportal_inspector $_;"} qw(127.0.0.1 inspector:80 unix:), 'unix:/' . 'x' x 107);
    each_refused('caportal_inspector', qr/invalid time/,
        map {"caportal_inspector unix:/x timeout=$_;"} qw(0 x -1s 11m));
    each_refused('caportal_inspector', qr/invalid number "[^"]+" .*takes \d+ to \d+/,
        map {"caportal_inspector unix:/x $_;"} qw(pixels=999999 pixels=1000000001 pixels=40m pages=0 pages=51 pages=x
        thumbnail=15 thumbnail=1025 quality=49 quality=101 quality=-90 min_edge=10001 min_edge=x));
    refused('caportal_inspector', qr/invalid number of arguments/, 'caportal_inspector;');
};

subtest 'key ring, store, profiles' => sub {
    passes('caportal_key_ring', "caportal_key_ring $etc/keyring;");
    my %fault = (
        'missing' => '0: No such file', 'keyring-word' => '2: expected a version',
        'keyring-order' => '2: versions must',
        'keyring-first' => '1: the first version', 'keyring-none' => '1: it holds no key',
        'keyring-short' => '1: expected a version', 'keyring-open' => '0: it must not be',
        'keyring-group' => '0: it must',
    );
    refused('caportal_key_ring', qr/\Q$etc\/$_:$fault{$_}\E/, "caportal_key_ring $_;") for sort keys %fault;
    each_refused('caportal_store', qr/is not a folder/, 'caportal_store missing;', 'caportal_store secret;');
    my $s3 = 'caportal_store s3 endpoint=http://127.0.0.1:9000 bucket=b key_id=k secret_file=secret spool=.';
    refused("caportal_store", qr/takes a folder/, "caportal_store . more;");
    each_refused('caportal_store', qr/invalid size/, 'caportal_upload_quota order=x;', 'caportal_upload_quota hall=0;');
    each_refused('caportal_store', qr/(?:invalid|duplicate|empty) parameter/, 'caportal_upload_quota orders=1m;',
        'caportal_upload_quota order=1m order=2m;', 'caportal_upload_quota order=;');
    refused("caportal_store", qr/invalid number of arguments/, "caportal_store;");
    each_refused('caportal_store', qr/needs the parameter/, 'caportal_store s3;', $s3 =~ s/ bucket=b//r . ';',
        $s3 =~ s/ spool=\.//r . ';');
    each_refused('caportal_store', qr/invalid (?:endpoint|bucket|region|prefix)/, map {"$_;"} $s3 =~ s{http://}{ftp://}r,
        $s3 =~ s{http://[^ ]+}{http://}r, $s3 =~ s{9000}{9000/x}r, $s3 =~ s{=b }{=b/c }r, "$s3 region=a/b", "$s3 prefix=a?b");
    each_refused('caportal_store', qr/is not a folder/, $s3 =~ s/spool=\./spool=missing/r . ';');
    refused('caportal_profiles', qr/\Q$etc\E\/profiles-bad.conf:3: unknown directive "wrong"/,
        'caportal_profiles profiles-bad.conf;');
    refused('caportal_profiles', qr/No such file/, 'caportal_profiles missing;');
    each_refused("caportal_$_", qr/invalid number of arguments/, "caportal_$_;", "caportal_$_ a b;")
        for qw(key_ring profiles egress mobile);
};

subtest 'against abuse' => sub {
    parameters('caportal_sms_limits', optional => [qw(address_hour address_day)]);
    parameters('caportal_captcha', optional => [qw(sms password images questions)]);
    my @limits = (
        (map {"$_=7"} qw(number_minute number_hour number_day address_hour address_day network_hour budget_minute
            segment_codes segment_return)), 'segment_time=10m');
    passes('caportal_sms_limits', 'caportal_sms_limits address_day=0 address_hour=0;', "caportal_sms_limits @limits;",
        undef);
    for my $limit (@limits) {
        my ($name) = split /=/, $limit;
        next if $name eq 'segment_time';
        each_refused('caportal_sms_limits', qr/invalid number "/,
            map {"caportal_sms_limits $name=$_;"} qw(x -1 1.5 1000001));
    }
    refused('caportal_sms_limits', qr/invalid number "101"/, 'caportal_sms_limits segment_return=101;');
    each_refused('caportal_sms_limits', qr/invalid time "/,
        map {"caportal_sms_limits segment_time=$_;"} qw(x 59s 0 25h -1));
    passes('caportal_captcha', (map {"caportal_captcha sms=$_;"} qw(always adaptive off)),
        'caportal_captcha password=0;', undef);
    each_refused('caportal_captcha', qr/invalid value "/, map {"caportal_captcha sms=$_;"} qw(on never 1));
    each_refused('caportal_captcha', qr/invalid number "/,
        map { my $name = $_; map {"caportal_captcha $name=$_;"} qw(x -1 1000001) } qw(password images questions));
    each_refused($_, qr/invalid number of arguments/, "$_;") for qw(caportal_sms_limits caportal_captcha);
};

subtest 'outside parties' => sub {
    parameters('caportal_sms ');
    parameters('caportal_identity', fixed => 1);
    secrets('caportal_sms ', 'secret_file');
    secrets('caportal_identity', 'secret_file');
    each_refused('caportal_identity', qr/invalid path/,
        map {"caportal_identity $_ key_id=caportal secret_file=secret;"} 'path=identity', '"path=/a b"');
    my $sms = 'caportal_sms path=/sms/ host=h key_id=k secret_file=secret sign_name=s template=t';
    passes('caportal_sms ', "$sms notice=SMS_2;", "$sms;");
    refused('caportal_sms ', qr/duplicate parameter "notice=/, "$sms notice=a notice=b;");
    refused('caportal_sms ', qr/invalid path/,
        'caportal_sms path=sms host=h key_id=k secret_file=secret sign_name=s template=t;');
    each_refused('caportal_egress ', qr/caportal_egress/,
        map {"caportal_egress $_;"} qw(127.0.0.1:80 localhost unix: unix:x));
};

subtest 'people' => sub {
    passes('caportal_mobile', 'caportal_mobile "^\+86";', undef);
    each_refused('caportal_mobile', qr/"caportal_mobile": \w/, map {"caportal_mobile $_;"} '"^1(3"', '"*"', '"[0-"');
    passes('caportal_session_cache', (map {"caportal_session_cache $_;"} qw(1 1000000 off)), undef);
    each_refused('caportal_session_cache', qr/invalid number of sessions "/,
        map {"caportal_session_cache $_;"} qw(0 1000001 -1 1k on x));
    refused('caportal_session_cache', qr/invalid number of arguments/, 'caportal_session_cache 10 20;');
    parameters('caportal_session_timeout', fixed => 1);
    passes('caportal_session_timeout', 'caportal_session_timeout idle=1m absolute=30d;', undef);
    each_refused('caportal_session_timeout', qr/needs idle and absolute/,
        map {"caportal_session_timeout idle=$_->[0] absolute=$_->[1];"} ['59s', '1h'], ['2h', '1h'], ['1h', '31d'],
        ['x', '1h'], ['1h', 'x'], [0, 0]);
    parameters('caportal_staff_session', fixed => 1);
    passes('caportal_staff_session', 'caportal_staff_session idle=1m absolute=24h;');
    each_refused('caportal_staff_session', qr/needs idle and absolute/,
        map {"caportal_staff_session idle=$_->[0] absolute=$_->[1];"} ['59s', '1h'], ['2h', '1h'], ['1h', '25h'],
        ['x', '1h'], ['1h', 'x'], [0, 0]);
    passes('caportal_origin', "caportal_origin https://a;\ncaportal_origin https://b;");
    each_refused('caportal_origin', qr/invalid origin/, map {"caportal_origin $_;"} qw(http://a.example a.example
        https:// https://a/ https://a/b https://a: https://a:0 https://a:70000 https://a:x https://u@a https://a?b),
        'https://a.example http://b.example', '"https://a b"');
    refused('caportal_origin', qr/invalid number of arguments/, 'caportal_origin;');
};

subtest 'locations' => sub {
    passes("location $_->[0]", "location $_->[0] { $_->[1] }") for ['/api/', 'caportal_api applicant staff callback;'],
        ['/guarded/', 'caportal_session optional;'], ['/guarded/', 'caportal_upload off;'],
        ['/guarded/', 'caportal_place "北 $remote_addr";'];
    for my $case (
        ['/api/', qr/invalid value "nobody"/,                'caportal_api nobody'],
        ['/api/', qr/invalid value "nobody"/,                'caportal_api applicant nobody'],
        ['/api/', qr/invalid number of arguments/,           'caportal_api'],
        ['/status', qr/invalid value "xml"/,                 'caportal_status xml'],
        ['/status', qr/invalid number of arguments/,         'caportal_status'],
        ['/guarded/', qr/invalid value "on"/,                'caportal_session on'],
        ['/guarded/', qr/invalid number of arguments/,       'caportal_session'],
        ['/guarded/', qr/invalid value "yes"/,               'caportal_upload yes'],
        ['/guarded/', qr/invalid number of arguments/,       'caportal_upload on off'],
        ['/guarded/', qr/invalid number of arguments/,       'caportal_place'],
        ['/guarded/', qr/invalid number of arguments/,       'caportal_place north $remote_addr'],
        ['/guarded/', qr/invalid variable name/,             'caportal_place "$"'],
    ) {
        my ($location, $words, $directive) = @$case;
        refused("location $location", $words, "location $location {\n$directive;\n}", "$directive;");
    }
};

subtest 'out of place' => sub {
    my %line = map { (/^\s*(\w+)/)[0] => s/^\s+|\n//gr } grep {/^    caportal_\w+ [^{]*;$/} split /^/, $good;
    delete @line{grep {/\Acaportal_(?:session\z|upload|place)/ && $_ ne 'caportal_upload_quota'} keys %line};
    for my $name (sort keys %line) {
        my $line = $line{$name};
        refused('listen', qr/"$name" directive is not allowed here/, "listen 1;\n$line");
        refused('phone', qr/"$name" directive is not allowed here/, $line);
    }
    refused('listen', qr/directive is not allowed here/, $_) for 'caportal_api applicant;', 'caportal_status json;';
    refused('caportal_origin', qr/directive is not allowed here/,
        $_) for 'caportal_api applicant;', 'caportal_status json;',
        'title x;', 'phone 1;', 'price 1;', 'payments transfer;', 'require licence;';
    refused('events', qr/directive is not allowed here/, "events { }\n$_")
        for 'caportal_session required;', 'caportal_hall x { }', 'caportal_upload off;', 'caportal_place x;';
    refused('location /api/', qr/directive is not allowed here/, "location /x {\nif (\$args) {\n$_->[0]\n}\n}", $_->[0])
        for ['caportal_api applicant;'], ['caportal_session required;'], ['caportal_status json;'];
    refused('phone', qr/directive is not allowed here/, $_)
        for 'free on;', 'types jpeg;', 'price 1;', 'years 1;', 'profile unit-sign;', 'require licence;', 'max_size 1m;',
        'product x { }', 'listen 80;', 'server { }', 'caportal_hall x { }';
    refused('hint', qr/directive is not allowed here/, $_) for 'phone 1;', 'years 1;', 'free on;', 'material x { }';
    refused('one_per_unit', qr/directive is not allowed here/, $_)
        for 'payments transfer;', 'price 1;', 'types jpeg;', 'project x { }';
    refused('seal on', qr/directive is not allowed here/, $_) for 'free on;', 'max_size 1m;', 'product x { }';
    refused('phone', qr/unknown directive "telephone"/, 'telephone 1;');
};

subtest 'halls' => sub {
    passes('phone',       undef);
    passes('flow',        undef, 'flow pay_then_review;');
    passes('review_days', undef, 'review_days 100;');
    passes('claim',       undef, 'claim 60;', 'claim 30d;');
    passes('sign_in',     'sign_in sms;', 'sign_in company;');
    each_refused('title "内', qr/invalid value/, 'title "";');
    each_refused('flow', qr/invalid value/, map {"flow $_;"} qw(review pay_then_revie pay_then_reviews on));
    each_refused('review_days', qr/invalid value/, map {"review_days $_;"} qw(0 101 -1 1.5 x));
    each_refused('claim', qr/invalid value/, map {"claim $_;"} qw(0 59s 31d x -1m));
    each_refused('sign_in', qr/invalid value "face"/, 'sign_in face;', 'sign_in sms face;');
    each_refused('payments', qr/invalid value "cash"/, 'payments cash;', 'payments transfer cash;');
    each_refused("$_->[0]", qr/invalid number of arguments/, "$_->[1];", $_->[2] ? "$_->[1] a b c d;" : ())
        for ['title "内', 'title', 1], ['phone', 'phone', 1], ['sign_in', 'sign_in'], ['flow', 'flow', 1],
        ['payments', 'payments'], ['claim', 'claim', 1], ['review_days', 'review_days', 1], ['payee', 'payee', 1],
        ['agreement', 'agreement', 1];
    parameters('payee', fixed => 1);
    each_refused('agreement', qr/invalid value/, 'agreement "" agreement.txt;', 'agreement ' . 'v' x 33 . ' form.txt;');
    refused('agreement', qr/cannot open "\Q$etc\E\/missing"/, 'agreement 1 missing;');
    refused('agreement', qr/larger than 262144 bytes/, 'agreement 1 agreement-long.txt;');
    refused('agreement', qr/"\Q$etc\E" cannot be read/, "agreement 1 $etc;");

    refused($_->[0], qr/hall "nmgca": the hall has no "$_->[1]"/, undef, '} # nmgca')
        for ['title "内', 'title'], ['sign_in', 'sign_in'], ['agreement', 'agreement'];
    refused($_, qr/hall "nmgca": project "sold" costs money/, undef, '} # nmgca') for qw(payments payee);
    refused('caportal_upload', qr/hall "empty": the hall has no "title"/,
        "caportal_hall empty {\n} # empty", '} # empty');
    refused('server', qr/duplicate hall "nmgca"/, "caportal_hall nmgca { }\nserver {", 'caportal_hall nmgca { }');
    refused('caportal_hall', qr/invalid number of arguments/, $_) for 'caportal_hall {', 'caportal_hall a b {';
    refused('caportal_hall', qr/invalid name/, "caportal_hall $_ {") for '""', 'a/b', '"a b"', '厅', 'x' x 65;
};

subtest 'materials' => sub {
    passes('template', undef, "template $etc/form.txt;");
    passes('types', 'types pdf;', 'types jpg jpeg;');
    each_refused('types', qr/invalid value "tiff"/, 'types tiff;', 'types jpeg tiff;');
    each_refused('max_size', qr/invalid value/, map {"max_size $_;"} qw(0 x -1 1t));
    refused('template', qr/cannot open "\Q$etc\E\/missing"/, 'template missing;');
    each_refused($_, qr/invalid value/, "$_ \"\";") for qw(hint wrong);
    passes('max_pixels', undef, map {"max_pixels $_;"} qw(1 1m 1000M 1000000000));
    each_refused('max_pixels', qr/needs a number of pixels/,
        map {"max_pixels $_;"} qw(0 m x -1 1.5m 1001m 1000000001 1k));
    passes('max_pages', undef, map {"max_pages $_;"} qw(1 10000));
    each_refused('max_pages', qr/needs a number of pages/, map {"max_pages $_;"} qw(0 x -1 10001));
    passes('sample', undef, "sample $etc/sample.jpg;");
    refused('sample', qr/cannot open "\Q$etc\E\/missing.png"/, 'sample missing.png;');
    each_refused('sample', qr/named neither \.jpg nor \.png/, map {"sample $_;"} qw(form.txt sample sample.gif));
    refused('sample', qr/material "licence" has both "sample" and "example"/, "sample sample.jpg;\nexample /a.png;",
        '} # licence');
    passes('wrong', undef, 'wrong 一;', "wrong 一;\nwrong 二;", 'wrong 1 2 3 4 5 6 7 8;');
    refused('wrong', qr/has one text too many/, 'wrong 1 2 3 4 5 6 7 8 9;');
    refused($_->[0], qr/material "licence" needs "title", "types" and "max_size"/, undef, '} # licence')
        for ['title "营'], ['types'], ['max_size'];
    refused('material seal_image', qr/duplicate material "licence"/,
        'material licence { title x; types jpeg; max_size 1; }');
    each_refused('material seal_image', qr/invalid name/, map {"material $_ { }"} '""', 'a/b', 'x' x 65);
    each_refused($_->[0], qr/invalid number of arguments/, "$_->[1];", $_->[2] ? "$_->[1] a b;" : ())
        for ['title "营', 'title', 1], ['types', 'types'], ['max_size', 'max_size', 1], ['template', 'template', 1],
        ['sample', 'sample', 1], ['hint', 'hint', 1], ['max_pixels', 'max_pixels', 1], ['max_pages', 'max_pages', 1],
        ['wrong', 'wrong'];
};

subtest 'uploads' => sub {
    passes('caportal_upload_types', 'caportal_upload_types jpeg jpg png bmp gif pdf;', undef);
    each_refused('caportal_upload_types', qr/invalid value "tiff"/, 'caportal_upload_types tiff;',
        'caportal_upload_types jpeg tiff;');
    passes('caportal_upload_max_size', map {"caportal_upload_max_size $_;"} qw(1 100k 10G));
    each_refused('caportal_upload_max_size', qr/invalid value/, map {"caportal_upload_max_size $_;"} qw(x -1 1t));
    refused('caportal_upload_max_size', qr/must be above 0/, 'caportal_upload_max_size 0;');
    passes('caportal_upload_max_pixels', map {"caportal_upload_max_pixels $_;"} qw(1 40m 1000m));
    each_refused('caportal_upload_max_pixels', qr/needs a number of pixels from 1 to 1000m/,
        map {"caportal_upload_max_pixels $_;"} qw(0 m 1001m x));
    passes('caportal_upload_max_pages', map {"caportal_upload_max_pages $_;"} qw(1 10000));
    each_refused('caportal_upload_max_pages', qr/needs a number of pages from 1 to 10000/,
        map {"caportal_upload_max_pages $_;"} qw(0 10001 x 1m));
    passes('caportal_upload_timeout', map {"caportal_upload_timeout $_;"} qw(1s 1h));
    each_refused('caportal_upload_timeout', qr/needs a time from 1s to 1h/,
        map {"caportal_upload_timeout $_;"} qw(0 999ms 61m));
    refused('caportal_upload_timeout', qr/invalid value/, 'caportal_upload_timeout x;');
    each_refused('caportal_upload_check', qr/invalid value "yes"/, 'caportal_upload_check yes;');
    each_refused("caportal_upload_$_", qr/invalid number of arguments/, "caportal_upload_$_;")
        for qw(types max_size max_pixels max_pages timeout check);

    # In a server and in a location as well, the inner in place of the outer.
    my $all = 'caportal_upload_types gif; caportal_upload_max_size 1m; caportal_upload_max_pixels 1m;'
        . ' caportal_upload_max_pages 1; caportal_upload_timeout 1m; caportal_upload_check on;';
    passes('location /guarded/', "$all\nlocation /guarded/ {\n$all\n}");
};

subtest 'projects' => sub {
    passes('invoices', undef);
    passes('one_per_unit', undef, 'one_per_unit off;');
    passes('optional', undef);
    each_refused($_, qr/invalid value "maybe"/, "$_ maybe;") for 'one_per_unit';
    refused('free off', qr/invalid value "maybe"/, 'free maybe;');
    for my $list (['applicants enterprise i', 'applicants'], ['services new c', 'services'], ['invoices', 'invoices'],
        ['deliveries mail p', 'deliveries'])
    {
        my ($begin, $name) = @$list;
        each_refused($begin, qr/invalid value "nothing"/, "$name nothing;");
        each_refused($begin, qr/invalid number of arguments/, "$name;");
        refused($begin, qr/project "sold" needs "title", "applicants"/, undef, '} # sold') if $name ne 'invoices';
    }
    refused('title "收', qr/project "sold" needs "title"/, undef, '} # sold');
    for my $name (qw(require optional)) {
        each_refused($name, qr/unknown material "passport"/, "$name passport;", "$name for=enterprise passport;");
        each_refused($name, qr/material "seal_image" is asked for twice/, "$name seal_image seal_image;");
        each_refused($name, qr/invalid parameter/, "$name licence for=robot;", "$name licence service=none;",
            "$name licence for=;");
        each_refused($name, qr/names no material/, "$name for=enterprise;");
        each_refused($name, qr/invalid number of arguments/, "$name;");
    }
    refused('optional', qr/material "licence" is asked for twice/, 'optional licence;');
    refused('project gratis', qr/duplicate project "sold"/, 'project sold {');
    refused('project gratis', qr/invalid name/, "project $_ {") for '""', 'a/b', 'x' x 65;
    refused('free on', qr/product "for-free" must have a "price"/, undef, '} # gratis');
    refused('free off', qr/product "one-year" must cost nothing/, 'free on;', '} # sold');
    refused('product for-free', qr/project "gratis": it has no "product"/, undef, '} # gratis');
};

subtest 'products' => sub {
    passes('price 260', map {"price $_;"} qw(1 0.01 0.1 260.00 1000000));
    passes('seal on', undef, 'seal off;');
    passes('keys', undef, 'keys station;');
    each_refused('price 260', qr/invalid value/,
        map {"price $_;"} qw(-1 1.234 1. .5 1e3 ￥5 1000001 0x10 1.-1 99999999999999999999), '""', '1,5');
    refused('price 260', qr/product "one-year" must have a "price"/, $_, '} # sold') for undef, 'price 0;';
    each_refused('years 1', qr/invalid value/, map {"years $_;"} qw(0 -1 101 x 1.5));
    refused('years 1', qr/"unit-sign" is not for 6 years, as product "one-year"/, 'years 6;', 'profile unit-sign;');
    refused('profile unit', qr/unknown certificate profile "other"/, 'profile other;');
    refused('seal on', qr/invalid value "maybe"/, 'seal maybe;');
    refused('keys', qr/invalid value "anybody"/, 'keys holder anybody;');
    refused($_, qr/product "one-year" needs "title", "years" and "profile"/, undef, '} # one-year')
        for 'title "一', 'years 1', 'profile unit';
    refused('product five-years', qr/duplicate product "one-year"/,
        'product one-year { title x; years 1; profile unit-sign; }');
    each_refused('product five-years', qr/invalid name/, map {"product $_ { }"} '""', 'a/b', 'x' x 65);
    each_refused($_->[0], qr/invalid number of arguments/, "$_->[1];", $_->[2] ? "$_->[1] a b;" : ())
        for ['price 260', 'price', 1], ['years 1', 'years', 1], ['profile unit', 'profile', 1], ['seal on', 'seal', 1],
        ['keys', 'keys'], ['title "一', 'title', 1];
};

# A fault in an included file is a fault of that file's line.
subtest 'in a file of its own' => sub {
    my ($hall) = $good =~ /^(    caportal_hall .*^    \} # nmgca\n)/ms;
    my $text = $good =~ s/\Q$hall\E/include hall.conf;\n/r;
    for my $case ([1, sub ($line) {$line}], [0, sub ($line) { $line =~ s/price 260\.5/price 260.555/r }]) {
        my ($right, $edit) = @$case;
        my $bytes = join '', map { $edit->($_) } split /^/, $hall;
        utf8::encode($bytes);
        write_file("$etc/hall.conf", $bytes);
        my ($passed, $said) = checked($text);
        my $line = () = substr($bytes, 0, index $bytes, 'price 260') =~ /^/mg;
        is !!$passed, !!$right, $right ? 'a hall in a file of its own' : 'with a fault';
        like $said, qr/invalid value "260\.555" of "price" in \Q$etc\E\/hall\.conf:$line$/m, 'its line' if !$right;
    }
};

# Without the settings that operations need, all of them are named at once, at the first location that needs them.
subtest 'what is missing' => sub {
    my @settings = qw(caportal_database caportal_redis caportal_egress caportal_thread_pool caportal_key_ring
        caportal_store caportal_inspector caportal_profiles caportal_sms caportal_identity);
    for my $missing ((map { [$_] } grep { $_ ne 'caportal_profiles' } @settings), [@settings, 'caportal_hall']) {
        my $text = $good;
        for my $name (@$missing) {
            $text = $name eq 'caportal_hall' ? $text =~ s/^    caportal_hall .*^    \} # nmgca\n//msr
                : changed($text, $name, undef);
        }
        my ($passed, $said) = checked($text);
        my $line = () = read_file("$etc/nginx.conf") =~ s/caportal_api.*//sr =~ /^/mg;
        my @named = $said =~ /"caportal_api" needs "(\w+)" .* in \Q$etc\E\/nginx\.conf:$line$/mg;
        is_deeply [sort @named], [sort @$missing], "@$missing";
    }

    my ($passed, $said) = checked(<<"TEXT");
load_module $build/ngx_http_caportal_module.so;
events { }
http {
    server {
        listen unix:$home/run/test.sock;
        location / {
            caportal_session optional;
        }
    }
}
TEXT
    like $said, qr/"caportal_session" needs "caportal_redis" .* in \S+nginx\.conf:[67]$/m, 'a guard needs Redis';
    my $text = changed($good, 'caportal_origin', undef);
    ($passed, $said) = checked($text);
    my $line = () = read_file("$etc/nginx.conf") =~ s/ # nmgca.*//sr =~ /^/mg;
    like $said, qr/"sign_in scan" needs "caportal_origin" .* in \Q$etc\E\/nginx\.conf:$line$/m,
        'scanning needs the page that is scanned';
    like $said, qr/"sign_in challenge" needs "caportal_origin" .* in \Q$etc\E\/nginx\.conf:$line$/m,
        'and a signature what is signed';
    ($passed, $said) = checked(changed($text, 'sign_in', 'sign_in sms;'));
    ok $passed, 'and without it none' or diag $said;

    ($passed, $said) = checked(<<"TEXT");
load_module $build/ngx_http_caportal_module.so;
pid $home/run/test.pid;
events { }
http {
    access_log off;
    caportal_redis unix:$home/run/redis.sock;
    server {
        listen unix:$home/run/test.sock;
        location / { caportal_session required; }
        location /status { caportal_status json; }
    }
}
TEXT
    ok $passed, 'and nothing else' or diag $said;
};

done_testing;

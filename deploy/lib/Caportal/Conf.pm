package Caportal::Conf;

# The shipped configuration, put into a home: installed places, ports and names become those of this stack.

use v5.36;
use Caportal::Files qw(folder read_file write_file);
use File::Find ();

my %place = ('etc' => 'conf', 'var/lib' => 'data', 'run' => 'run', 'var/log' => 'log');

# mysql_socket, home, root (of the checkout), build (folder), port, database, web, signer and inspector (names of system
# users), sentinel (the service, where one watches Redis)
sub new ($class, %given) {
    return bless {%given}, $class;
}

sub install ($self) {
    my ($from, $to) = ("$self->{root}/conf", "$self->{home}/conf");

    File::Find::find({
        no_chdir => 1,
        wanted   => sub {
            my $path = $to . substr $_, length $from;
            -d $_ ? folder($path) : write_file($path, $self->localize(read_file($_)));
        },
    }, $from);
    write_file("$to/egress.conf", $self->_egress);
    return;
}

# The address of Redis, in nginx's words and in the signer's, becomes that of the sentinel.
sub _watched ($self, $text) {
    my ($sentinel, $socket) = ($self->{sentinel}, qr{/run/caportal/data/redis\.sock});
    my ($address, $file) = ($sentinel->address, $sentinel->password_file);

    $text =~ s{^(\s*caportal_redis\s+)unix:$socket}{$1sentinel://$address sentinel_password_file=$file}m;
    $text =~ s{^(\s*)socket(\s+)$socket;.*$}{$1sentinel$2$address;\n$1sentinel_password_file $file;}m;
    return $text;
}

sub localize ($self, $text) {
    my ($home, $portal, $certificate) = ($self->{home}, $self->{port}, $self->{port} + 1);

    $text = $self->_watched($text) if $self->{sentinel};
    $text =~ s{/run/caportal/data/mysqld\.sock}{$self->{mysql_socket}}g;
    $text =~ s{/usr/lib/nginx/modules/(ngx_http_caportal_module\.so)}{$self->{build}/$1}g;
    $text =~ s{/(etc|var/lib|run|var/log)/caportal\b}{$home/$place{$1}}g;
    $text =~ s{^(\s*(?:user|group)\s+)caportal-(web|signer|inspector);}{$1$self->{$2};}gm;
    # Everybody here comes from one address, and messages end in the sandbox's inbox: they cost nothing, so that neither
    # a captcha nor a limit but those of a number stands before them.
    $text =~ s{# (caportal_sms_limits +)number_minute=[^;]*;}
              {$1address_hour=0 address_day=0 network_hour=0 budget_minute=0 segment_codes=0;};
    $text =~ s{# (caportal_captcha +)sms=[^;]*;}{$1sms=off password=3 images=0 questions=0;};
    $text =~ s{http://ca\.example/}{https://localhost:$portal/}g;
    $text =~ s{\b8443\b}{$portal}g;
    $text =~ s{\b8444\b}{$certificate}g;
    $text =~ s{\bcaportal_(web|signer)\b}{$self->{database}_$1}g;
    $text =~ s{\b(name=|database\s+)caportal\b}{$1$self->{database}}g;
    return $text;
}

# Outside parties are the sandbox here.
sub _egress ($self) {
    my $sandbox = 'http://127.0.0.1:' . ($self->{port} + 2);
    return <<~"END";
        server {
            listen unix:$self->{home}/run/egress.sock;
            access_log off;

            proxy_http_version    1.1;
            proxy_connect_timeout 2s;
            proxy_read_timeout    4s;
            proxy_next_upstream   off;

            location /sms/ {
                proxy_set_header Host dysmsapi.aliyuncs.com;
                proxy_pass       $sandbox/;
            }

            location /identity/ {
                proxy_pass $sandbox;
            }
        }
        END
}

1;
